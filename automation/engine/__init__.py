"""The pure engine: functions over frozen values. Imports neither Django nor any other room of the house."""
