"""The command line. Each verb asks for a `Darkroom` and shows what it says; no verb knows how one is made."""
