"""How the admin looks: names, colours, style sheets, navigation (read by unfold)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "BrainOps",
    "SITE_HEADER": "BrainOps",
    "SITE_SUBHEADER": "Workflow automation",
    "SITE_SYMBOL": "account_tree",
    "SITE_URL": None,  # there is no other site to go to
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("brainops/favicon.svg")},
    ],
    "SHOW_HISTORY": False,  # the audit log tells more
    "SHOW_VIEW_ON_SITE": False,
    "ACCOUNT": {
        "navigation": [
            {"title": "Sign-in security", "link": reverse_lazy("admin:security")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "LOGIN": {"form": "brainops.accounts.login_form.LoginForm"},
    "DASHBOARD_CALLBACK": "automation.admin.dashboard.overview",
    "STYLES": [
        lambda _request: static("brainops/tokens.css"),
        lambda _request: static("brainops/parts.css"),
        lambda _request: static("brainops/pages.css"),
    ],
    "SCRIPTS": [lambda _request: static("brainops/pages.js")],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {  # indigo; never a colour of status
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "brainops.site.sidebar",
    },
}
