"""Writes the models of batch-1 inference for ONNX Runtime: onnx_models.py DATA-FOLDER FOLDER. Needs PyPI's onnx."""

import pathlib
import sys

import numpy
from onnx import TensorProto, helper, numpy_helper, save

import peer


def initial(name, values):
    return numpy_helper.from_array(numpy.ascontiguousarray(values, dtype="float32"), name)


def keep(folder, name, nodes, inputs, outputs, weights):
    def infos(shapes):
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in shapes.items()]

    graph = helper.make_graph(nodes, name, infos(inputs), infos(outputs), weights)
    save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), folder / f"{name}.onnx")


def dense(name, source, target, w, bias, weights):
    weights += [initial(f"{name}.W", w), initial(f"{name}.b", bias)]
    return helper.make_node("Gemm", [source, f"{name}.W", f"{name}.b"], [target])


def perceptron(a, folder):
    weights = []
    nodes = [dense("1", "x", "a", a["z.dense.W"].reshape(784, 128), numpy.zeros(128), weights),
             helper.make_node("Relu", ["a"], ["h"]),
             dense("2", "h", "z", a["z.dense2.W"].reshape(128, 10), numpy.zeros(10), weights),
             helper.make_node("Softmax", ["z"], ["y"])]
    keep(folder, "mlp_infer", nodes, {"x": [1, 784]}, {"y": [1, 10]}, weights)


def convolutions(a, folder):
    weights, nodes, source = [], [], "x"
    for i, (name, shape, pad) in enumerate((("h.conv2d.w", (6, 1, 5, 5), 2), ("h.conv2d2.w", (16, 6, 5, 5), 0))):
        weights += [initial(f"w{i}", a[name].reshape(shape)), initial(f"b{i}", numpy.zeros(shape[0]))]
        nodes += [helper.make_node("Conv", [source, f"w{i}", f"b{i}"], [f"c{i}"], pads=[pad] * 4),
                  helper.make_node("Relu", [f"c{i}"], [f"r{i}"]),
                  helper.make_node("MaxPool", [f"r{i}"], [f"p{i}"], kernel_shape=[2, 2], strides=[2, 2])]
        source = f"p{i}"
    nodes.append(helper.make_node("Flatten", [source], ["f"]))
    nodes += [dense("1", "f", "d1", a["z.dense.W"].reshape(400, 120), numpy.zeros(120), weights),
              helper.make_node("Relu", ["d1"], ["e1"]),
              dense("2", "e1", "d2", a["z.dense2.W"].reshape(120, 84), numpy.zeros(84), weights),
              helper.make_node("Relu", ["d2"], ["e2"]),
              dense("3", "e2", "z", a["z.dense3.W"].reshape(84, 10), numpy.zeros(10), weights),
              helper.make_node("Softmax", ["z"], ["y"])]
    keep(folder, "cnn_infer", nodes, {"x": [1, 1, 28, 28]}, {"y": [1, 10]}, weights)


def gates(w, rows):
    """[rows][i f g o][units] to ONNX' [1][i o f c][units][rows]."""
    i, f, g, o = (w.reshape(rows, 4, 128)[:, place].T for place in range(4))
    return numpy.concatenate([i, o, f, g])[None]


def recurrence(a, folder):
    weights = [initial("W", gates(a["h.Wx"], 32)), initial("R", gates(a["h.Wh"], 128)),
               initial("B", numpy.concatenate([gates(a["h.b"], 1)[0, :, 0], numpy.zeros(512)])[None]),
               numpy_helper.from_array(numpy.array([0], dtype="int64"), "first")]
    nodes = [helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["", "h1", "c1"], hidden_size=128),
             helper.make_node("Squeeze", ["h1", "first"], ["u"]),
             dense("1", "u", "y", a["z.W"].reshape(128, 10), numpy.zeros(10), weights)]
    state = [1, 1, 128]
    keep(folder, "lstm_infer", nodes, {"x": [1, 1, 32], "h": state, "c": state},
         {"y": [1, 10], "h1": state, "c1": state}, weights)


data, models = (pathlib.Path(word) for word in sys.argv[1:])
models.mkdir(parents=True, exist_ok=True)
for write, name in ((perceptron, "mlp"), (convolutions, "cnn"), (recurrence, "lstm")):
    write(peer.read(data / name), models)
