"""Replays by several processes: files cut in time, and the sessions that live across a cut handed on."""
