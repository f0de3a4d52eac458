# SPDX-License-Identifier: Apache-2.0
"""The digits model in MLServer, by onnxruntime: what bench/serve/measure.py compares with."""
import onnxruntime
from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec


class Digits(MLModel):
    async def load(self):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, o)
        return True

    async def predict(self, payload):
        given = payload.inputs[0]
        y = self.session.run(None, {given.name: NumpyCodec.decode_input(given)})[0]
        return types.InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output(self.session.get_outputs()[0].name, y)])
