"""The few pages that are not the editor: signing in, and going on to the editor. No script, no style: strict CSP."""

from __future__ import annotations

from html import escape

SIGN_IN = "/sign-in"

COME_AGAIN = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Darkroom</title>
<meta http-equiv="refresh" content="0; url=/">
<p><a href="/">Open Darkroom</a>
</html>
"""
"""Sends the browser to the editor from a page of ours, so that it sends its cookie."""


def sign_in_page(wrong: str = "") -> str:
    """The page for a browser that has not signed in.

    Args:
        wrong: why what was tried did not work.
    """
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Darkroom: sign in</title>
<meta name="viewport" content="width=device-width">
<h1>Darkroom</h1>
<p role="alert">{escape(wrong)}</p>
<p>Open the launch link that the server printed when it started, or give its access token:
<form method="post" action="{SIGN_IN}">
<p><input hidden autocomplete="username" value="darkroom"><label>Access token
<input name="token" type="password" required autofocus autocomplete="current-password"></label>
<button>Sign in</button>
</form>
<p>The token is kept in the file <code>user/token</code> of Darkroom's folder.
</html>
"""
