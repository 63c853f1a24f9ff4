"""The commands in a process of their own that other programs talk to by Appose, pixels through shared memory.

`python -m parfocal.worker` is a worker of Appose (https://github.com/apposed/appose): requests come as lines of JSON on
standard input, answers go as lines of JSON to standard output, and nothing listens on a port. It ends when its input
does. `parfocal.worker.protocol` says what goes over.
"""
