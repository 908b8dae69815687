"""Small colour images: CIFAR-10, ResNet-8, top-1 accuracy."""

from hilgate.task import Task
from tasks.cifar10.data import FILES, SOURCES, Cifar10Data, split
from tasks.cifar10.metric import METRIC
from tasks.cifar10.network import Cifar10Train, augment, loss, network, preprocess

TASK = Task(
    name="cifar10",
    files=FILES,
    sources=SOURCES,
    data_params=Cifar10Data,
    split=split,
    preprocess=preprocess,
    train_params=Cifar10Train,
    network=network,
    loss=loss,
    metric=METRIC,
    augment=augment,
)
