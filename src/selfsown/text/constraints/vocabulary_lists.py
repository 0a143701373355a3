"""Words and phrases that constraints ask for: everyday ones, which an answer about anything can use."""

_KEYWORDS = (
    "time day year people place water family friend work home world city book story light morning music color food "
    "money health nature garden river market school simple quick small new useful clear honest quiet bright ready "
    "every often together"
)
_COMMON_WORDS = "very good great also many much really just like important always never with because about"
_START_WORDS = "Today Usually Often Perhaps Clearly Imagine Sometimes Consider Surely Remember Generally"
_KEYS = "answer summary reason title topic example advice result name detail"

KEYWORDS = tuple(_KEYWORDS.split())
COMMON_WORDS = tuple(_COMMON_WORDS.split())
START_WORDS = tuple(_START_WORDS.split())
KEYS = tuple(_KEYS.split())
END_PHRASES = (
    "That is all.",
    "I hope this helps.",
    "Thank you for reading.",
    "Please ask for more.",
    "Have a nice day.",
    "Let me know what you think.",
)
SPLITTERS = ("Section", "Part", "Step", "Point")
