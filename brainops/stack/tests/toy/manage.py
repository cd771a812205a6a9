"""A toy product for the launcher's tests: the management commands it calls, on a table of one column."""

import os
import sys
from pathlib import Path

import psycopg2

WORKFLOW = "00000000-0000-4000-8000-000000000001"


def note(word):
    with open(Path(os.environ["BRAINOPS_DATA"]) / "journal", "a", encoding="utf-8") as journal:
        journal.write(f"{word}\n")


def main(command):
    note(command)
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    cursor = connection.cursor()
    if command == "migrate":
        cursor.execute("CREATE TABLE IF NOT EXISTS runs (id text)")
    elif command == "create_admin":
        print("login: admin@toy\npassword: pa55")
    elif command == "load_samples":
        print(f"{WORKFLOW} hello")
    elif command == "create_api_key":
        print("bo_key")
    elif command == "count_runs":
        cursor.execute("SELECT count(*) FROM runs")
        print(cursor.fetchone()[0])
    elif command == "fail":
        sys.exit("this went wrong")


main(sys.argv[1])
