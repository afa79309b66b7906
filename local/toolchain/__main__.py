"""Entry of the toolchain: checks the interpreter before anything that an old one could not even parse is imported."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # the very thing this file is for
    sys.stderr.write(
        "Tributary needs Python 3.11 or newer; " + sys.executable + " is " + sys.version.split()[0] + ".\n"
    )
    sys.stderr.write("Put a newer python3 first on PATH, or run: make PYTHON=/path/to/python3.11 up\n")
    sys.exit(1)

from local.toolchain.main import main

if __name__ == "__main__":
    main()
