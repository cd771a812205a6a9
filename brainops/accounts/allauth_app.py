"""allauth, as far as it is used: its tables and arithmetic of second factors, none of its pages."""

from allauth.account.apps import AccountConfig


class AllauthAccountConfig(AccountConfig):
    """The app that `allauth.mfa` stands on. No route of allauth exists here, so its middleware has nothing to do."""

    def ready(self) -> None:
        """Leave out its checks: they ask for that middleware and judge settings of pages that are not there."""
