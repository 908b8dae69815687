"""TEMPLATE: three waveforms of an analogue input.

A whole small task on generated data; replace one file at a time.
"""

from hilgate.task import Task
from tasks.TEMPLATE.data import FILES, SOURCES, Data, split
from tasks.TEMPLATE.metric import METRIC
from tasks.TEMPLATE.network import Train, loss, network, preprocess

TASK = Task(
    name="TEMPLATE",
    files=FILES,
    sources=SOURCES,
    data_params=Data,
    split=split,
    preprocess=preprocess,
    train_params=Train,
    network=network,
    loss=loss,
    metric=METRIC,
)
