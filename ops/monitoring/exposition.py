"""All figures as a text for Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from .measuring import by_name, of_now
from .names import MEASURED
from .processes import summed

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


class Measurements(Collector):
    """What is the same whichever process is asked: measured then, and not added up."""

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        for name, samples in by_name(of_now()).items():
            family: CounterMetricFamily | GaugeMetricFamily
            labels = list(samples[0].labels)
            if name.endswith("_total"):
                family = CounterMetricFamily(name, MEASURED[name], labels=labels)
            else:
                family = GaugeMetricFamily(name, MEASURED[name], labels=labels)
            for one in samples:
                family.add_metric([one.labels[label] for label in labels], one.value)
            yield family


_measured: Final = CollectorRegistry(auto_describe=False)
_measured.register(Measurements())


def render() -> bytes:
    return generate_latest(summed()) + generate_latest(_measured)
