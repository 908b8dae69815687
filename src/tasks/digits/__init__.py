"""Handwritten digits: MNIST, a small fully connected network, top-1 accuracy."""

from hilgate.task import Task
from tasks.digits.data import FILES, SOURCES, DigitsData, split
from tasks.digits.metric import METRIC
from tasks.digits.network import DigitsTrain, loss, network, preprocess

TASK = Task(
    name="digits",
    files=FILES,
    sources=SOURCES,
    data_params=DigitsData,
    split=split,
    preprocess=preprocess,
    train_params=DigitsTrain,
    network=network,
    loss=loss,
    metric=METRIC,
)
