"""Entry script of the worker."""

from greenhouse import worker

if __name__ == "__main__":
    worker.run()
