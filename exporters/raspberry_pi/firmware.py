"""firmware: throttling now and since the boot, the clock as it really is, and what the power chip measures.

The kernel does not see that the firmware slows the processor down. Only commands that read are ever sent (mailbox.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from exporters.raspberry_pi import gencmd
from exporters.raspberry_pi.mailbox import Mailbox, Refused, Tag
from exporters.raspberry_pi.reading import Reading, any_of, parts


def collect(mailbox: Mailbox) -> Iterator[Reading]:
    """Ask it. Raises NotAvailable where there is no mailbox or it may not be opened, and OSError and MailboxError."""
    asked = (_throttling(mailbox), _clock(mailbox), _rails(mailbox), _build(mailbox))
    return any_of(parts(*map(_unless_refused, asked)), otherwise="refused")


def _unless_refused(readings: Iterator[Reading]) -> Iterator[Reading]:
    """A firmware that does not know a question is no fault; it is not asked again."""
    try:
        yield from readings
    except Refused:
        return


def _throttling(mailbox: Mailbox) -> Iterator[Reading]:
    told = gencmd.throttled(mailbox.gencmd("get_throttled"))
    for reason in gencmd.REASONS:
        yield Reading("rpi_throttled", float(reason in told.now), {"reason": reason})
        yield Reading("rpi_throttled_since_boot", float(reason in told.since_boot), {"reason": reason})


def _clock(mailbox: Mailbox) -> Iterator[Reading]:
    hertz = gencmd.measured_hertz(mailbox.gencmd("measure_clock arm"))
    yield Reading("rpi_cpu_frequency_measured_hertz", hertz)


def _rails(mailbox: Mailbox) -> Iterator[Reading]:
    for rail, told in gencmd.rails(mailbox.gencmd("pmic_read_adc")).items():
        if told.volts is not None:
            yield Reading("rpi_supply_volts", told.volts, {"rail": rail})
        if told.amperes is not None:
            yield Reading("rpi_supply_amperes", told.amperes, {"rail": rail})


def _build(mailbox: Mailbox) -> Iterator[Reading]:
    (built,) = mailbox.tag(Tag.FIRMWARE_REVISION)
    yield Reading("rpi_firmware_build_timestamp_seconds", built)
