"""A million photographs on Ray Data: `nuggy catalogue`.

sources.py lists what there is, plan.py names the results and leaves out what manifest.py says is done, flow.py sends
the rest through stages.py (decode, cut out, encode) on a Ray cluster, run.py writes the manifest as answers come,
doubtful.py draws the sheet of those that a person should see. stores.py is folders, buckets and URLs alike; box.py
packs a photograph for the way between two machines. Ray, PyArrow and fsspec are the extra `ray`.
"""
