"""The exchange format `brainops/export`: how workflows leave an installation and how they come into another."""
