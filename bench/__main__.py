"""`python -m bench [PART…] [--markdown]`: measure, and print a table for each part."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import time
import warnings
from collections.abc import Sequence

from bench.report import machine

PARTS = ("engine", "lifecycle", "pages", "counters", "press", "relay", "sign_in", "intake", "search")


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for, all of them when none is named."""
    parser = argparse.ArgumentParser("python3 dev.py bench", description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="only these")
    parser.add_argument("--markdown", action="store_true", help="tables as the README has them")
    wanted = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(machine(), flush=True)
    start = time.monotonic()
    for part in wanted.part or PARTS:
        for table in importlib.import_module(f"bench.{part}").run():
            print(f"\n{table.markdown() if wanted.markdown else table.plain()}", flush=True)
    print(f"\n{time.monotonic() - start:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
