"""What the product's command of this name prints."""

from furniture.journal import Noted


class Command(Noted):
    prints = "00000000-0000-4000-8000-000000000001 hello"
