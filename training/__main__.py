"""python -m training"""

from training.command import main

if __name__ == "__main__":  # not in the processes that main starts
    main()
