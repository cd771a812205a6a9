"""A toy product for the launcher's tests: a table of one column."""

import os
import sys
from pathlib import Path

import psycopg2


def main(command):
    with open(Path(os.environ["BRAINOPS_DATA"]) / "journal", "a", encoding="utf-8") as journal:
        journal.write(f"{command}\n")
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    connection.autocommit = True
    cursor = connection.cursor()
    if command == "migrate":
        cursor.execute("CREATE TABLE IF NOT EXISTS runs (id text)")
    elif command == "count_runs":
        cursor.execute("SELECT count(*) FROM runs")
        print(cursor.fetchone()[0])
    elif command == "fail":
        sys.exit("this went wrong")


main(sys.argv[1])
