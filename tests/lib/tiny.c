/* SPDX-License-Identifier: Apache-2.0 */
/* The tiny models. */

#include "lib/tiny.h"

static const int64_t k_2x3[] = {2, 3}, k_nx3[] = {-1, 3}, k_3[] = {3}, k_2[] = {2};
static const float k_six[] = {1, -2, 3, -4, 5, -6};

/* ---- ONNX -------------------------------------------------------------------------------------------------------
 */

/* y = relu(x + w), a named batch, metadata, types of inner values. */
static buf chain(void) {
  buf g = {0}, prop = {0}, info = ox_info("t", 1, 2, k_nx3, "batch");
  pb_str(&g, 2, "chain");
  ox_add_node(&g, ox_node_in(NULL, "Add", "add", "x,w", "t", NULL));
  ox_add_node(&g, ox_node_in("ai.onnx", "Relu", "relu", "t", "y", NULL));
  ox_add_init(&g, ox_tensor("w", 1, 1, k_3, k_six, 12));
  ox_add_in(&g, ox_info("x", 1, 2, k_nx3, "batch"));
  ox_add_out(&g, ox_info("y", 1, 2, k_nx3, "batch"));
  pb_msg(&g, 13, &info);
  buf m = ox_model(g, 8, 17);
  pb_str(&m, 2, "tests");
  pb_str(&prop, 1, "labels");
  pb_str(&prop, 2, "one,two");
  pb_msg(&m, 14, &prop);
  return m;
}

/* Initialisers in typed fields, one of them packed, strings, a sparse one, and one that is an input too. */
static buf typed(void) {
  static const int64_t k_at[] = {1, 4};
  buf g = {0}, t = {0}, packed = {0}, sparse = {0}, part, str = {0};
  for (int i = 0; i < 3; i++) pb_varint(&packed, (uint64_t)(i * 300));
  pb_int(&t, 1, 3);
  pb_int(&t, 2, 7);
  pb_str(&t, 8, "i");
  pb_msg(&t, 7, &packed);
  ox_add_init(&g, t);
  t = ox_tensor("f", 1, 1, k_2, NULL, 0);
  pb_float(&t, 4, 0.5f);
  pb_float(&t, 4, -0.5f);
  ox_add_init(&g, t);
  pb_int(&str, 1, 2);
  pb_int(&str, 2, 8);
  pb_str(&str, 6, "cat");
  pb_str(&str, 6, "");
  pb_str(&str, 8, "s");
  ox_add_init(&g, str);
  part = ox_tensor("z", 1, 1, k_2, k_six, 8);
  pb_msg(&sparse, 1, &part);
  part = ox_tensor(NULL, 7, 1, k_2, k_at, 16);
  pb_msg(&sparse, 2, &part);
  pb_int(&sparse, 3, 2);
  pb_int(&sparse, 3, 3);
  pb_msg(&g, 15, &sparse);
  ox_add_in(&g, ox_info("f", 1, 1, k_2, NULL));
  ox_add_node(&g, ox_node("Identity", "z", "y", NULL));
  ox_add_node(&g, ox_node("Identity", "s", "u", NULL));
  ox_add_out(&g, ox_info("y", 1, 2, k_2x3, NULL));
  ox_add_out(&g, ox_info("f", 1, 1, k_2, NULL));
  ox_add_out(&g, ox_info("i", 7, 1, k_3, NULL));
  ox_add_out(&g, ox_info("u", 8, 1, k_2, NULL));
  return ox_model(g, 4, 13);
}

/* Constant nodes of several forms, out of order. */
static buf constants(void) {
  static const int64_t k_ints[] = {3, 2};
  buf g = {0}, t = ox_tensor(NULL, 1, 2, k_2x3, k_six, 24);
  ox_add_node(&g, ox_node("Add", "r,f", "y", NULL));
  ox_add_node(&g, ox_node("Reshape", "c,shape", "r", NULL));
  ox_add_node(&g, ox_node("Constant", "", "c", (ox_attr[]){{.name = "value", .type = 4, .t = &t}, {0}}));
  ox_add_node(&g, ox_node("Constant", "", "shape",
                          (ox_attr[]){{.name = "value_ints", .type = 7, .ints = k_ints, .n = 2}, {0}}));
  ox_add_node(&g, ox_node("Constant", "", "f", (ox_attr[]){{.name = "value_float", .type = 1, .f = 2}, {0}}));
  ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
  return ox_model(g, 9, 18);
}

/* If and Loop with bodies that use outer values. */
static buf bodies(void) {
  buf g = {0}, then = {0}, other = {0}, loop = {0};
  pb_str(&then, 2, "then");
  ox_add_node(&then, ox_node("Relu", "x", "a", NULL));
  ox_add_out(&then, ox_info("a", 1, -1, NULL, NULL));
  ox_add_node(&other, ox_node("Add", "x,w", "b", NULL));
  ox_add_out(&other, ox_info("b", 1, -1, NULL, NULL));
  ox_add_in(&loop, ox_info("i", 7, 0, NULL, NULL));
  ox_add_in(&loop, ox_info("keep", 9, 0, NULL, NULL));
  ox_add_in(&loop, ox_info("v", 1, -1, NULL, NULL));
  ox_add_node(&loop, ox_node("Identity", "keep", "keep2", NULL));
  ox_add_node(&loop, ox_node("Add", "v,w", "v2", NULL));
  ox_add_out(&loop, ox_info("keep2", 9, 0, NULL, NULL));
  ox_add_out(&loop, ox_info("v2", 1, -1, NULL, NULL));
  ox_add_in(&g, ox_info("c", 9, 0, NULL, NULL));
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_init(&g, ox_tensor("w", 1, 1, k_3, k_six, 12));
  ox_add_init(&g, ox_tensor("n", 7, 0, NULL, (const int64_t[]){4}, 8));
  ox_add_node(&g, ox_node("If", "c", "t",
                          (ox_attr[]){{.name = "then_branch", .type = 5, .t = &then},
                                      {.name = "else_branch", .type = 5, .t = &other},
                                      {0}}));
  ox_add_node(&g, ox_node("Loop", "n,,t", "y", (ox_attr[]){{.name = "body", .type = 5, .t = &loop}, {0}}));
  ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
  return ox_model(g, 10, 21);
}

/* A function with an attribute and a default, called by another. */
static buf functions(void) {
  buf g = {0}, in = {0}, out = {0}, dflt = {0}, o = {0}, n;
  n = ox_node("LeakyRelu", "a", "b", (ox_attr[]){{.name = "alpha", .type = 1, .ref = "slope"}, {0}});
  pb_str(&in, 1, "Inner");
  pb_str(&in, 4, "a");
  pb_str(&in, 5, "b");
  pb_str(&dflt, 1, "slope");
  pb_float(&dflt, 2, 0.25f);
  pb_int(&dflt, 20, 1);
  pb_msg(&in, 11, &dflt);
  pb_msg(&in, 7, &n);
  pb_str(&o, 1, "");
  pb_int(&o, 2, 18);
  pb_bytes(&in, 9, o.p, o.n);
  pb_str(&in, 10, "mine");
  pb_str(&out, 1, "Outer");
  pb_str(&out, 4, "p");
  pb_str(&out, 4, "q");
  pb_str(&out, 5, "r");
  pb_str(&out, 5, "p");
  pb_str(&out, 6, "s");
  n = ox_node_in("mine", "Inner", "in", "p", "m", (ox_attr[]){{.name = "slope", .type = 1, .ref = "s"}, {0}});
  pb_msg(&out, 7, &n);
  n = ox_node("Add", "m,p", "r", NULL);
  pb_msg(&out, 7, &n);
  pb_msg(&out, 9, &o);
  pb_str(&out, 10, "mine");
  ox_add_in(&g, ox_info("x", 1, 1, k_3, NULL));
  ox_add_node(
      &g, ox_node_in("mine", "Outer", "call", "x", "y,z", (ox_attr[]){{.name = "s", .type = 1, .f = 0.75f}, {0}}));
  ox_add_out(&g, ox_info("y", 1, 1, k_3, NULL));
  ox_add_out(&g, ox_info("z", 1, 1, k_3, NULL));
  buf m = ox_model(g, 10, 18);
  pb_msg(&m, 25, &in);
  pb_msg(&m, 25, &out);
  return m;
}

/* A sequence that passes through. */
static buf sequence(void) {
  buf g = {0}, elem = {0}, tensor = {0}, seq = {0}, t = {0}, info = {0}, again = {0};
  pb_int(&tensor, 1, 1);
  pb_msg(&elem, 1, &tensor);
  pb_msg(&seq, 1, &elem);
  pb_msg(&t, 4, &seq);
  pb_str(&info, 1, "x");
  pb_bytes(&info, 2, t.p, t.n);
  pb_str(&again, 1, "y");
  pb_msg(&again, 2, &t);
  ox_add_in(&g, info);
  ox_add_node(&g, ox_node("Identity", "x", "y", NULL));
  ox_add_out(&g, again);
  return ox_model(g, 8, 16);
}

/* A small picture through Conv, Relu, MaxPool, Flatten and Gemm. */
static buf conv(void) {
  static const float k_w[2 * 3 * 3] = {0.5f, -1, 2, 0.25f, 1, 1, -2, 3, 1};
  static const int64_t k_in[] = {1, 1, 6, 6}, k_w_dim[] = {2, 1, 3, 3}, k_f_dim[] = {8, 2}, k_pair[] = {2, 2};
  static const float k_f[16] = {1, 2, 3};
  buf g = {0};
  ox_add_in(&g, ox_info("x", 1, 4, k_in, NULL));
  ox_add_init(&g, ox_tensor("w", 1, 4, k_w_dim, k_w, sizeof k_w));
  ox_add_init(&g, ox_tensor("f", 1, 2, k_f_dim, k_f, sizeof k_f));
  ox_add_node(
      &g, ox_node("Conv", "x,w", "a",
                  (ox_attr[]){{.name = "kernel_shape", .type = 7, .ints = (const int64_t[]){3, 3}, .n = 2}, {0}}));
  ox_add_node(&g, ox_node("Relu", "a", "b", NULL));
  ox_add_node(&g, ox_node("MaxPool", "b", "c",
                          (ox_attr[]){{.name = "kernel_shape", .type = 7, .ints = k_pair, .n = 2},
                                      {.name = "strides", .type = 7, .ints = k_pair, .n = 2},
                                      {0}}));
  ox_add_node(&g, ox_node("Flatten", "c", "d", NULL));
  ox_add_node(&g, ox_node("Gemm", "d,f", "y", (ox_attr[]){{.name = "alpha", .type = 1, .f = 0.5f}, {0}}));
  ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
  return ox_model(g, 8, 13);
}

/* Gradients of a sum of products, at the graph's own values and at others. */
static buf gradient(void) {
  buf g = {0}, opset = {0}, n;
  const ox_attr own[] = {{.name = "xs", .type = 8, .s = "x,w"}, {.name = "y", .type = 3, .s = "y"}, {0}};
  const ox_attr other[] = {
      {.name = "xs", .type = 8, .s = "x"}, {.name = "zs", .type = 8, .s = "w"}, {.name = "y", .type = 3, .s = "y"}, {0}};
  ox_add_in(&g, ox_info("x", 1, 2, k_nx3, "batch"));
  ox_add_init(&g, ox_tensor("w", 1, 1, k_3, k_six, 12));
  ox_add_node(&g, ox_node("Mul", "x,w", "a", NULL));
  ox_add_node(&g, ox_node("Sigmoid", "a", "b", NULL));
  ox_add_node(&g, ox_node("ReduceSum", "b", "y", (ox_attr[]){{.name = "keepdims", .type = 2, .i = 0}, {0}}));
  n = ox_node_in("ai.onnx.preview.training", "Gradient", "own", "x,w", "dx,dw", own);
  ox_add_node(&g, n);
  n = ox_node_in("ai.onnx.preview.training", "Gradient", "other", "b,w", "db", other);
  ox_add_node(&g, n);
  ox_add_out(&g, ox_info("y", 1, 0, NULL, NULL));
  ox_add_out(&g, ox_info("dx", 1, 2, k_nx3, "batch"));
  ox_add_out(&g, ox_info("dw", 1, 1, k_3, NULL));
  ox_add_out(&g, ox_info("db", 1, 2, k_nx3, "batch"));
  buf m = ox_model(g, 8, 13);
  pb_str(&opset, 1, "ai.onnx.preview.training");
  pb_int(&opset, 2, 1);
  pb_msg(&m, 8, &opset);
  return m;
}

/* Operators on regions: sampling on a grid, boxes that overlap, an Einsum, drawn numbers. */
static buf regions(void) {
  static const int64_t k_grid[] = {1, 2, 2, 2}, k_plane[] = {1, 1, 2, 3}, k_boxes[] = {1, 3, 4}, k_score[] = {1, 1, 3};
  static const float k_places[] = {-1, -0.5f, 0.25f, 2, 0, 0, 1, 1};
  static const int64_t k_most = 2;
  buf g = {0};
  ox_add_in(&g, ox_info("x", 1, 4, k_plane, NULL));
  ox_add_in(&g, ox_info("boxes", 1, 3, k_boxes, NULL));
  ox_add_in(&g, ox_info("scores", 1, 3, k_score, NULL));
  ox_add_init(&g, ox_tensor("grid", 1, 4, k_grid, k_places, sizeof k_places));
  ox_add_init(&g, ox_tensor("most", 7, 0, NULL, &k_most, sizeof k_most));
  ox_add_node(&g, ox_node("GridSample", "x,grid", "a", (ox_attr[]){{.name = "padding_mode", .type = 3, .s = "reflection"}, {0}}));
  ox_add_node(&g, ox_node("RandomNormalLike", "a", "r", (ox_attr[]){{.name = "seed", .type = 1, .f = 3}, {0}}));
  ox_add_node(&g, ox_node("Einsum", "a,r", "y", (ox_attr[]){{.name = "equation", .type = 3, .s = "...ij,...kj->...ik"}, {0}}));
  ox_add_node(&g, ox_node("NonMaxSuppression", "boxes,scores,most", "kept", NULL));
  ox_add_out(&g, ox_info("y", 1, -1, NULL, NULL));
  ox_add_out(&g, ox_info("kept", 7, -1, NULL, NULL));
  return ox_model(g, 8, 17);
}

const tiny tiny_onnx[] = {{"chain", chain},   {"typed", typed},         {"constants", constants},
                          {"bodies", bodies}, {"functions", functions}, {"sequence", sequence},
                          {"conv", conv},     {"gradient", gradient},   {"regions", regions}};
const size_t tiny_n_onnx = sizeof tiny_onnx / sizeof *tiny_onnx;

/* ---- TFLite -----------------------------------------------------------------------------------------------------
 */

enum {
  CONV_2D = 3,
  FULLY_CONNECTED = 9,
  SOFTMAX = 25,
  CALL = 31,
  F32 = 0,
  S32 = 2,
  BOOLEAN = 6,
  S8 = 9,
  ADD = 0,
  RELU = 19,
  RESHAPE = 22,
  IF = 118,
  LESS = 58,
  WHILE = 119
};

/* y = relu6(x + w), quantised, in two signatures. */
static buf add(void) {
  static const int8_t k_w[] = {1, -2, 3};
  static const tf_tensor k_t[] = {
      {.name = "x", .type = S8, .rank = 2, .dim = {1, 3}, .n_quant = 1, .scale = {0.5f}, .zero = {3}},
      {.name = "w", .type = S8, .rank = 1, .dim = {3}, .n_quant = 1, .scale = {0.25f}, .data = k_w, .bytes = 3},
      {.name = "y", .type = S8, .rank = 2, .dim = {1, 3}, .n_quant = 1, .scale = {0.125f}, .zero = {-128}}};
  static const tf_op k_op[] = {{.code = ADD,
                                .version = 2,
                                .n_in = 2,
                                .in = {0, 1},
                                .n_out = 1,
                                .out = {2},
                                .options = 11,
                                .n_field = 1,
                                .field = {{0, 1, 3}}}};
  static const tf_graph k_g = {
      .n_tensor = 3, .tensor = k_t, .n_op = 1, .op = k_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {2}};
  static const tf_sig k_s[] = {{"serve", 0, 1, 1, {"input"}, {"output"}, {0}, {2}},
                               {"again", 0, 1, 1, {"in"}, {"out"}, {0}, {2}}};
  return tf_model(&k_g, 1, k_s, 2);
}

/* y = reshape(relu(x)); the new shape is a constant. */
static buf reshape(void) {
  static const int32_t k_s[] = {3, 2};
  static const tf_tensor k_t[] = {{.name = "x", .type = F32, .rank = 2, .dim = {2, 3}},
                                  {.name = "t", .type = F32, .rank = 2, .dim = {2, 3}},
                                  {.name = "s", .type = S32, .rank = 1, .dim = {2}, .data = k_s, .bytes = 8},
                                  {.name = "y", .type = F32, .rank = 2, .dim = {3, 2}}};
  static const tf_op k_op[] = {{.code = RELU, .n_in = 1, .in = {0}, .n_out = 1, .out = {1}},
                               {.code = RESHAPE, .n_in = 2, .in = {1, 2}, .n_out = 1, .out = {3}}};
  static const tf_graph k_g = {
      .n_tensor = 4, .tensor = k_t, .n_op = 2, .op = k_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {3}};
  return tf_model(&k_g, 1, NULL, 0);
}

/* If and While over three more subgraphs; one of them is used twice. */
static buf control(void) {
  static const int32_t k_ten[] = {10};
  static const tf_tensor k_main[] = {{.name = "c", .type = BOOLEAN, .rank = 0},
                                     {.name = "x", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "t", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "y", .type = S32, .rank = 1, .dim = {1}}};
  static const tf_op k_main_op[] = {{.code = IF,
                                     .n_in = 2,
                                     .in = {0, 1},
                                     .n_out = 1,
                                     .out = {2},
                                     .options = 92,
                                     .n_field = 2,
                                     .field = {{0, 4, 1}, {1, 4, 1}}},
                                    {.code = WHILE,
                                     .n_in = 1,
                                     .in = {2},
                                     .n_out = 1,
                                     .out = {3},
                                     .options = 93,
                                     .n_field = 2,
                                     .field = {{0, 4, 2}, {1, 4, 1}}}};
  static const tf_tensor k_add[] = {{.name = "a", .type = S32, .rank = 1, .dim = {1}},
                                    {.name = "ten", .type = S32, .rank = 1, .dim = {1}, .data = k_ten, .bytes = 4},
                                    {.name = "b", .type = S32, .rank = 1, .dim = {1}}};
  static const tf_op k_add_op[] = {{.code = ADD, .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {2}, .options = 11}};
  static const tf_tensor k_less[] = {{.name = "a", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "ten", .type = S32, .rank = 1, .dim = {1}, .data = k_ten, .bytes = 4},
                                     {.name = "b", .type = BOOLEAN, .rank = 1, .dim = {1}}};
  static const tf_op k_less_op[] = {{.code = LESS, .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {2}}};
  static const tf_graph k_g[] = {
      {.n_tensor = 4, .tensor = k_main, .n_op = 2, .op = k_main_op, .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {3}},
      {.n_tensor = 3, .tensor = k_add, .n_op = 1, .op = k_add_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {2}},
      {.n_tensor = 3, .tensor = k_less, .n_op = 1, .op = k_less_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {2}}};
  return tf_model(k_g, 3, NULL, 0);
}

/* CALL: a subgraph in place of an operator; one of its outputs is its input, one a constant. */
static buf call(void) {
  static const int32_t k_ten[] = {10};
  static const tf_tensor k_main[] = {{.name = "x", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "y", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "same", .type = S32, .rank = 1, .dim = {1}},
                                     {.name = "const", .type = S32, .rank = 1, .dim = {1}}};
  static const tf_op k_main_op[] = {{.code = CALL,
                                     .n_in = 1,
                                     .in = {0},
                                     .n_out = 3,
                                     .out = {1, 2, 3},
                                     .options = 16,
                                     .n_field = 1,
                                     .field = {{0, 4, 1}}}};
  static const tf_tensor k_add[] = {{.name = "a", .type = S32, .rank = 1, .dim = {1}},
                                    {.name = "ten", .type = S32, .rank = 1, .dim = {1}, .data = k_ten, .bytes = 4},
                                    {.name = "b", .type = S32, .rank = 1, .dim = {1}}};
  static const tf_op k_add_op[] = {{.code = ADD, .n_in = 2, .in = {0, 1}, .n_out = 1, .out = {2}, .options = 11}};
  static const tf_graph k_g[] = {{.n_tensor = 4,
                                  .tensor = k_main,
                                  .n_op = 1,
                                  .op = k_main_op,
                                  .n_in = 1,
                                  .in = {0},
                                  .n_out = 3,
                                  .out = {1, 2, 3}},
                                 {.n_tensor = 3,
                                  .tensor = k_add,
                                  .n_op = 1,
                                  .op = k_add_op,
                                  .n_in = 1,
                                  .in = {0},
                                  .n_out = 3,
                                  .out = {2, 0, 1}}};
  return tf_model(k_g, 2, NULL, 0);
}

/* A quantised convolution with a scale for each output, then a reshape and a softmax. */
static buf conv8(void) {
  static const int8_t k_w[2 * 2 * 2] = {1, -2, 3, -4, 5, -6, 7, -8};
  static const int32_t k_b[] = {100, -100}, k_s[] = {1, 8};
  static const tf_tensor k_t[] = {
      {.name = "x", .type = S8, .rank = 4, .dim = {1, 3, 3, 1}, .n_quant = 1, .scale = {0.5f}, .zero = {-1}},
      {.name = "w",
       .type = S8,
       .rank = 4,
       .dim = {2, 2, 2, 1},
       .n_quant = 2,
       .scale = {0.25f, 0.125f},
       .data = k_w,
       .bytes = 8},
      {.name = "b",
       .type = S32,
       .rank = 1,
       .dim = {2},
       .n_quant = 2,
       .scale = {0.125f, 0.0625f},
       .data = k_b,
       .bytes = 8},
      {.name = "c", .type = S8, .rank = 4, .dim = {1, 2, 2, 2}, .n_quant = 1, .scale = {1}, .zero = {5}},
      {.name = "s", .type = S32, .rank = 1, .dim = {2}, .data = k_s, .bytes = 8},
      {.name = "r", .type = S8, .rank = 2, .dim = {1, 8}, .n_quant = 1, .scale = {1}, .zero = {5}},
      {.name = "y", .type = S8, .rank = 2, .dim = {1, 8}, .n_quant = 1, .scale = {0.00390625f}, .zero = {-128}}};
  static const tf_op k_op[] = {{.code = CONV_2D,
                                .version = 3,
                                .n_in = 3,
                                .in = {0, 1, 2},
                                .n_out = 1,
                                .out = {3},
                                .options = 1,
                                .n_field = 4,
                                .field = {{0, 1, 1}, {1, 4, 1}, {2, 4, 1}, {3, 1, 1}}},
                               {.code = RESHAPE, .n_in = 2, .in = {3, 4}, .n_out = 1, .out = {5}},
                               {.code = SOFTMAX,
                                .version = 2,
                                .n_in = 1,
                                .in = {5},
                                .n_out = 1,
                                .out = {6},
                                .options = 9,
                                .n_field = 1,
                                .field = {{0, 4, 0x3f800000}}}};
  static const tf_graph k_g = {
      .n_tensor = 7, .tensor = k_t, .n_op = 3, .op = k_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {6}};
  return tf_model(&k_g, 1, NULL, 0);
}

/* A layer whose weights are stored in blocks of two, of which most are not there, and one with scattered weights of bytes. */
static buf sparse(void) {
  static const float k_block[] = {1, -2, 3, -4, 5, -6};
  static const int8_t k_few[] = {7, -8, 9};
  static const tf_tensor k_t[] = {
      {.name = "x", .type = F32, .rank = 2, .dim = {2, 4}},
      {.name = "w",
       .type = F32,
       .rank = 2,
       .dim = {4, 4},
       .data = k_block,
       .bytes = sizeof k_block,
       .n_level = 3,
       .order = {0, 1, 2},
       .n_block = 1,
       .block = {1},
       .level = {{.size = 4}, {.n_segment = 5, .segment = {0, 1, 2, 2, 3}, .n_index = 3, .index = {0, 1, 1}}, {.size = 2}}},
      {.name = "h", .type = F32, .rank = 2, .dim = {2, 4}},
      {.name = "v",
       .type = S8,
       .rank = 2,
       .dim = {3, 4},
       .n_quant = 1,
       .scale = {0.5f},
       .data = k_few,
       .bytes = sizeof k_few,
       .n_level = 2,
       .order = {0, 1},
       .level = {{.size = 3}, {.n_segment = 4, .segment = {0, 2, 2, 3}, .n_index = 3, .index = {1, 3, 0}}}},
      {.name = "y", .type = F32, .rank = 2, .dim = {2, 3}}};
  static const tf_op k_op[] = {
      {.code = FULLY_CONNECTED, .version = 8, .n_in = 3, .in = {0, 1, -1}, .n_out = 1, .out = {2}, .options = 8},
      {.code = FULLY_CONNECTED, .version = 8, .n_in = 3, .in = {2, 3, -1}, .n_out = 1, .out = {4}, .options = 8}};
  static const tf_graph k_g = {
      .n_tensor = 5, .tensor = k_t, .n_op = 2, .op = k_op, .n_in = 1, .in = {0}, .n_out = 1, .out = {4}};
  return tf_model(&k_g, 1, NULL, 0);
}

const tiny tiny_tflite[] = {{"add", add},   {"reshape", reshape}, {"control", control},
                            {"call", call}, {"conv8", conv8},     {"sparse", sparse}};
const size_t tiny_n_tflite = sizeof tiny_tflite / sizeof *tiny_tflite;
