"""Link previews and crawlers: whoever only looks where a link leads starts nothing.

Asked for GET and HEAD alone. Source: what these services say of themselves in their documentation of link previews.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

METHODS = frozenset({"GET", "HEAD"})
_LOOKERS = re.compile(
    r"slackbot|slack-imgproxy|facebookexternalhit|facebot|meta-externalagent|twitterbot|linkedinbot|discordbot|telegrambot"
    r"|whatsapp/|skypeuripreview|teamsbot|microsoftpreview|bingpreview|bingbot|googlebot|google-pagerenderer|googleimageproxy"
    r"|google-safety|yandexbot|duckduckbot|baiduspider|applebot|pinterest(?:bot|/)|redditbot|vkshare|embedly|iframely"
    r"|mastodon/|bluesky|viber|snapchat|outbrain|ahrefsbot|semrushbot|gptbot|claudebot|oai-searchbot|safelinks",
    re.IGNORECASE,
)
_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")


def only_looks(method: str, headers: Mapping[str, str]) -> bool:
    """True for a request of a link previewer or a crawler, and for one that a browser makes ahead of its user."""
    if method not in METHODS:
        return False
    if any(word in headers.get(name, "").lower() for name in _AHEAD for word in ("prefetch", "prerender", "preview")):
        return True
    return _LOOKERS.search(headers.get("user-agent", "")) is not None
