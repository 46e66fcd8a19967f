"""``python -m vizcore.pictures.textures sheet.png`` draws a contact sheet, one row a class."""

import sys

import cv2

from . import LABELS, contact_sheet


def main() -> int:
    target = sys.argv[1] if len(sys.argv) > 1 else "textures.png"
    if not cv2.imwrite(target, contact_sheet()[..., ::-1]):
        sys.exit(f"could not write {target}")
    print(f"wrote {target}: {len(LABELS)} classes, one row each")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
