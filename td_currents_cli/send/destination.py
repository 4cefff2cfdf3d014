"""Where to send, as options name it, or else the environment, or else a settings file; never by parts of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from td_currents_cli.braze import POSTBACK_PATH, Site, check_name, check_site
from td_currents_cli.config import DESTINATION, DESTINATION_VARIABLES, NO_CONFIG, URL_VARIABLE, Config
from td_currents_cli.errors import UsageError
from td_currents_cli.send.tls import TlsFiles

_WHERE = "Give --url URL, or --site, --database and --table, or set TDCUR_URL, or write them into tdcur.toml."


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What was named; nothing at first, if no option was given."""

    url: str | None = field(default=None, repr=False)  # may contain a write key
    site: Site | None = None
    database: str | None = None
    table: str | None = None
    origin: str = ""  # the variables or the settings file that named it; empty for the command line
    write_key_file: str | None = None
    token_file: str | None = None
    allow_http: bool = False  # also beyond this machine
    tls: TlsFiles = field(default_factory=TlsFiles)

    def completed(self, environ: Mapping[str, str], settings: Config = NO_CONFIG) -> "Destination":
        """Take what no option named from the environment, or else from settings files.

        Raises:
            UsageError: the environment names a URL and a table, or a site that does not exist.
        """
        named = self._with_table(environ, settings)
        setting = settings.get("write-key-file")
        if setting is None or self.write_key_file is not None or environ.get("TD_WRITE_KEY"):
            return named
        return replace(named, write_key_file=str(setting.value))

    def _with_table(self, environ: Mapping[str, str], settings: Config) -> "Destination":
        if any(part is not None for part in (self.url, self.site, self.database, self.table)):
            return self
        parts = {name: environ[variable] for name, variable in DESTINATION_VARIABLES.items() if environ.get(variable)}
        origin = ", ".join(DESTINATION_VARIABLES[name] for name in parts)
        if url := environ.get(URL_VARIABLE):
            if parts:
                raise UsageError(f"{URL_VARIABLE} and {origin} cannot be used together", hint="Unset one of them.")
            return replace(self, url=url, origin=URL_VARIABLE)
        if not parts:
            found = settings.destination()
            parts = {name: str(setting.value) for name, setting in found.items()}
            origin = next((setting.origin for setting in found.values()), "")
        site = parts.get("site")
        return replace(
            self,
            site=None if site is None else check_site(site, DESTINATION_VARIABLES["site"]),
            database=parts.get("database"),
            table=parts.get("table"),
            origin=origin,
        )

    def resolved_url(self) -> str:
        """Return the URL to send to.

        Raises:
            UsageError: nothing, too much, or too little was named, or a name is not valid.
        """
        names = {name: getattr(self, name) for name in DESTINATION}
        present = [self._label(name) for name, value in names.items() if value is not None]
        if self.url is not None:
            if present:
                raise UsageError(f"--url and {present[0]} cannot be used together", hint=_WHERE)
            return self.url
        if not present:
            raise UsageError("no endpoint given", hint=_WHERE)
        missing = [self._label(name) for name, value in names.items() if value is None]
        if missing:
            from_file = f" ({self.origin})" if self.origin else ""
            raise UsageError(
                f"missing {' and '.join(missing)}: required with {' and '.join(present)}{from_file}", hint=_WHERE
            )
        for name in ("database", "table"):
            check_name(names[name], self._label(name))
        return f"https://{self.site}.records.in.treasuredata.com{POSTBACK_PATH}{self.database}/{self.table}"

    def _label(self, name: str) -> str:
        return name if self.origin else f"--{name}"
