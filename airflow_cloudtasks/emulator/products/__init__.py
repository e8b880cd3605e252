"""How each product answers, one file or folder a product: its actions, its tasks, what starts and what cancels them.

A file declares a :class:`airflow_cloudtasks.emulator.products.shared.product.Product` and its actions; the emulator
finds it by itself.

Sources: the vendors' API documents, the models of their SDK packages for the fields' types, and for Tencent Cloud the
definitions that tccli ships (``api.json``). The examples have the documents' fields with values of our own. Where a
document's example shows a failure's message with a success, the message is left empty, because a task without an error
has none.
"""
