#!/bin/sh
# Previews a stack under its policies and writes what a pull request is told: preview.sh <stack> <markdown file>
# Ends as the preview does. Told by the environment: PULUMI_BACKEND_URL, and who signs in (docs/deploy.md, "Pipelines").
set -u
stack=$1
file=$2
limit=60000 # characters: GitHub refuses a comment of more than 65536

# With what is deployed, the policies notice what can't be changed (docs/policies); nothing is, before the first update.
deployed=$(mktemp)
trap 'rm -f "$deployed"' EXIT
if pulumi stack export --stack "$stack" --file "$deployed" --non-interactive > /dev/null; then
    export TRIBUTARY_DEPLOYED="$deployed"
fi
config="policies/config/$stack.json"
# Every property that is previewed would go to the engine's automatic log, too, which nobody reads here and which has no
# switch (pulumi/pulumi#22416): it does without where it can't make the folder.
home="${PULUMI_HOME:-$HOME/.pulumi}"
mkdir -p "$home" && { [ -e "$home/logs" ] || : > "$home/logs"; }
export GOGC="${GOGC:-400}" # the engine's collector runs less often: a sixth of its processor time
{
    # The engine names no line of a config, and takes a rule that there is not without a word.
    python -m policies.check "$config" &&
        pulumi preview --stack "$stack" --diff --non-interactive --suppress-progress --color never \
            --policy-pack policies --policy-pack-config "$config"
} > preview.log 2>&1
code=$?

{
    echo "<!-- preview $stack -->"
    if [ "$code" -eq 0 ]; then echo "### Preview of \`$stack\`"; else echo "### Preview of \`$stack\` failed"; fi
    echo
    echo '<details><summary>what would change</summary>'
    echo
    echo '```'
    tail -c "$limit" preview.log
    echo '```'
    echo '</details>'
} > "$file"
cat preview.log
exit "$code"
