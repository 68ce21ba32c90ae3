"""`meetscribe serve`: meetings for browsers and other programs."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from meetscribe.apps.cli.console import reporting
from meetscribe.apps.cli.wording import Hotwords, Numerals, Punctuation
from meetscribe.apps.config import load_settings


def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; another than this machine's own needs a token.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    token: Annotated[
        str | None, typer.Option(help="What clients must know; better in MEETSCRIBE_TOKEN.")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM), for https and wss.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key (PEM).")] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="Origin of a web page that may connect, as https://example.org.")
    ] = None,
    vosk_port: Annotated[
        int | None,
        typer.Option(help="Another port on which vosk-server's clients find it; they expect 2700."),
    ] = None,
    mqtt: Annotated[
        str | None, typer.Option(help="A broker that gets all events, as mqtt://user@host:1883.")
    ] = None,
    mqtt_base: Annotated[str | None, typer.Option(help="How the topics begin.")] = None,
    mqtt_discovery: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="Let Home Assistant find the sensors: homeassistant.")
    ] = None,
    on_final: Annotated[
        str | None, typer.Option(metavar="CMD", help="Run for every finished turn; the event is on stdin.")
    ] = None,
    on_end: Annotated[
        str | None, typer.Option(metavar="CMD", help="Run when a meeting has ended; the event is on stdin.")
    ] = None,
    input: Annotated[
        list[str] | None, typer.Option(metavar="NAME|N", help="Hear a microphone of this machine; `devices`.")
    ] = None,
    system_audio: Annotated[
        bool, typer.Option("--system-audio", help="Hear what this machine plays, too.")
    ] = False,
    echo_removal: Annotated[
        bool | None,
        typer.Option(help="Take what the loudspeaker plays out of the microphone, with --system-audio."),
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title of the meeting that --input hears.")] = None,
    from_file: Annotated[
        list[Path] | None, typer.Option(help="A recording to be heard as a meeting, as if live.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="How many times as fast as recorded it is heard, or `max`.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="See `meetscribe models`.")] = None,
    hotwords: Hotwords = None,
    numerals: Numerals = None,
    punctuation: Punctuation = None,
) -> None:
    """Make meetings available to browsers and other programs."""
    with reporting(context.obj.verbose):
        flags = {
            "data_dir": context.obj.data_dir,
            "host": host,
            "port": port,
            "token": token,
            "tls_cert": tls_cert,
            "tls_key": tls_key,
            "origin": origin,
            "vosk_port": vosk_port,
            "mqtt": mqtt,
            "mqtt_base": mqtt_base,
            "mqtt_discovery": mqtt_discovery,
            "on_final": on_final,
            "on_end": on_end,
            "model": model,
            "echo_removal": echo_removal,
            "hotwords": hotwords,
            "numerals": numerals,
            "punctuation": punctuation,
        }
        settings = load_settings(context.obj.config, flags)
        from meetscribe.apps.serve.start import Heard, Serving

        heard = Heard(
            recordings=tuple(from_file or ()),
            speed=speed or "1",
            inputs=tuple(input or ()),
            system_audio=system_audio,
            title=title or "meeting",
            remove_echo=settings.echo_removal,
        )
        serving = Serving(settings, heard, context.obj.verbose)
        asyncio.run(serving.run())
