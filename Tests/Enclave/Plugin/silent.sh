#!/bin/sh
# An Orchestrator that never says a word.
exec sleep 1000
