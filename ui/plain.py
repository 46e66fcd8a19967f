"""Text that came from outside: file names, names of classes, whatever stands in a link."""

import re

# without these there is no link, picture, colour, tag, emphasis or formula
_ALIKE = str.maketrans("[]<>*~$\\@", "［］＜＞＊～＄＼＠")


def plain(text: str) -> str:
    """The same text for a reader, and nothing but text for Markdown, in which Streamlit sets all it shows.

    Characters that mean something there become others that look alike, since what is escaped would show
    its backslashes wherever Streamlit sets text as it is: in options, charts and alternative texts.
    """
    text = re.sub(r":(?=[\w/])", "∶", text.translate(_ALIKE))  # no address, icon or emoji
    return re.sub(r"\bwww\.", "www․", text, flags=re.IGNORECASE)
