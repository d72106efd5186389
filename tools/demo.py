"""See the library at work: ``python tools/demo.py``.

Makes an environment of its own in .venv/demo, runs examples/quickstart.py with it and says where the pictures
lie.
"""

import argparse
import subprocess

from _environment import ROOT, exit_with, prepare

PICTURES = ROOT / "out" / "demo"


def main() -> int:
    """Run the quickstart in its environment and list the pictures that it drew."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    python = prepare("demo", ["train", "viz"])
    print("Running examples/quickstart.py", flush=True)
    status = subprocess.call([python, "examples/quickstart.py", "--out", PICTURES], cwd=ROOT)
    if status == 0:
        print(f"The pictures lie in {PICTURES}:")
        for picture in sorted(PICTURES.iterdir()):
            print(f"    {picture.name}")
    return status


if __name__ == "__main__":
    exit_with(main)
