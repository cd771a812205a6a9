"""Reading files item by item: rows of CSV and XLSX, elements of JSON, lines. Pure: a stream in, items out.

Memory holds a piece of the file and one item, whatever the size of the file. A row that makes no sense is told and
the next one is read; what makes no sense of the whole file is a ReadFault.
"""
