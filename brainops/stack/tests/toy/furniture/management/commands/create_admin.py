"""What the product's command of this name prints."""

from furniture.journal import Noted


class Command(Noted):
    prints = "login: admin@toy\npassword: pa55"
