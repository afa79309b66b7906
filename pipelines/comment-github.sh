#!/bin/sh
# Puts a preview's text on the pull request, in the place of the one before: comment-github.sh <pull request> <file>
set -eu
number=$1
file=$2
marker=$(head -n 1 "$file")

before=$(gh api --paginate "repos/$GITHUB_REPOSITORY/issues/$number/comments" \
    --jq ".[] | select(.body | startswith(\"$marker\")) | .id" | head -n 1)
if [ -n "$before" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$before" --field "body=@$file" > /dev/null
else
    gh api --method POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" --field "body=@$file" > /dev/null
fi
