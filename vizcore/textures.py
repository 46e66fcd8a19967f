from .pictures.textures import *  # noqa: F403  (the former name of vizcore.pictures.textures)
from .pictures.textures.__main__ import main

_ = __name__ == "__main__" and main()  # python -m vizcore.textures
