"""The worker that GIMP talks to: a process of its own, for GIMP's Python has no torch.

The plug-in's side, of the standard library only; `nuggy gimp install` (install.py) copies it beside the plug-in, as the
package `nuggy_bridge`, so that there is one text of each:

    protocol.py how the two speak, wire.py over a connection, job.py what is asked, place.py where they meet (lock.py
    whose turn it is, peer.py who is at the other end), launch.py how the worker is started, process_state.py whether
    it is stopped, call.py one request, client.py all

    confined.py Pythons behind a wall, find.py one that has Nuggy, bases.py what one can be made of, make.py making it
    (folder.py says what is copied, and zips it)

The worker's side:

    server.py waits for connections, talk.py is one of them, networks.py has what computes, work.py lets it compute,
    watch.py tells and ends it on the way, said.py what the user says of the subject, results.py makes the answer,
    look.py the part that a preview shows, memory.py what is kept between two requests, samples.py bytes
"""
