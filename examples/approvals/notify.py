"""Shows a notification for a call that waits: `intercept --approval-command "python3 notify.py" ...`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def command(title: str, text: str) -> list[str]:
    """What shows a notification here; empty where nothing does."""
    if shutil.which("notify-send"):
        return ["notify-send", "--urgency=critical", "--", title, text]
    if shutil.which("osascript"):
        # The texts are arguments, so that no tool can write a line of the script.
        script = "on run {title, text}\ndisplay notification text with title title\nend run"
        return ["osascript", "-e", script, title, text]
    return []


def main() -> int:
    """Tell whoever sits here, or else whoever reads the proxy's stderr."""
    waiting = os.environ["INTERCEPT_APPROVAL_ID"]
    title = f"{os.environ['INTERCEPT_APPROVAL_TOOL']} waits for approval"
    found = command(title, f"{os.environ['INTERCEPT_APPROVAL_TEXT']}\nintercept approvals show {waiting}")
    if not found:
        print(f"{title}: intercept approvals show {waiting}", file=sys.stderr)
        return 0
    return subprocess.run(found, check=False, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
