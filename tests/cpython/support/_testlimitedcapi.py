"""CPython's module of the same name."""
from _hosttestlimitedcapi import *
