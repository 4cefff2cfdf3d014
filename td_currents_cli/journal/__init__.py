"""The journal of `tdcur send`: an SQLite file that records what each endpoint has been delivered."""
