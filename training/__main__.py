"""python -m training, python -m training photo"""

import sys

from training import command, photo

if __name__ == "__main__":  # not in the processes that main starts
    if sys.argv[1:2] == ["photo"]:
        photo.main(sys.argv[2:])
    else:
        command.main()
