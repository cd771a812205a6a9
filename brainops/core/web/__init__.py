"""The thin layer between the web server and the views."""
