"""The messages that checkpoints and SavedModels are made of: one line per message, ``name number kind`` per field.

A star marks a repeated field, ``{Kind}`` a map from text to that kind. Fields that nothing here reads are left
out; the decoder passes them over. Numbers are those of TensorFlow's public definitions.
"""

from __future__ import annotations

from typing import NamedTuple

_TEXT = """
Dim: size 1 int; name 2 str
TensorShapeProto: dim 2 Dim*; unknown_rank 3 bool
VersionDef: producer 1 int; min_consumer 2 int; bad_consumers 3 int*
Extent: start 1 int; length 2 int
TensorSliceProto: extent 1 Extent*
BundleHeaderProto: num_shards 1 int; endianness 2 int; version 3 VersionDef
BundleEntryProto: dtype 1 int; shape 2 TensorShapeProto; shard_id 3 int; offset 4 int; size 5 int; crc32c 6 fixed32; \
slices 7 TensorSliceProto*
ObjectReference: node_id 1 int; local_name 2 str
SerializedTensor: name 1 str; full_name 2 str; checkpoint_key 3 str
SlotVariableReference: original_variable_node_id 1 int; slot_name 2 str; slot_variable_node_id 3 int
BoolValue: value 1 bool
TrackableObject: children 1 ObjectReference*; attributes 2 SerializedTensor*; slot_variables 3 SlotVariableReference*; \
has_checkpoint_values 5 BoolValue
TrackableObjectGraph: nodes 1 TrackableObject*
SavedModel: saved_model_schema_version 1 int; meta_graphs 2 MetaGraphDef*
SavedMetadata: nodes 1 KerasObject*
KerasObject: node_id 2 int; node_path 3 str; identifier 4 str; metadata 5 str; version 6 VersionDef
MetaGraphDef: meta_info_def 1 MetaInfoDef; graph_def 2 GraphDef; saver_def 3 SaverDef; \
collection_def 4 {CollectionDef}; signature_def 5 {SignatureDef}; asset_file_def 6 AssetFileDef*; \
object_graph_def 7 SavedObjectGraph
MetaInfoDef: meta_graph_version 1 str; tags 4 str*; tensorflow_version 5 str; tensorflow_git_version 6 str; \
stripped_default_attrs 7 bool; function_aliases 8 {str}
SaverDef: filename_tensor_name 1 str; save_tensor_name 2 str; restore_op_name 3 str; max_to_keep 4 int; \
sharded 5 bool; version 7 int
NodeList: value 1 str*
CollectionDef: node_list 1 NodeList
AssetFileDef: tensor_info 1 TensorInfo; filename 2 str
TensorInfo: name 1 str; dtype 2 int; tensor_shape 3 TensorShapeProto
SignatureDef: inputs 1 {TensorInfo}; outputs 2 {TensorInfo}; method_name 3 str
GraphDef: node 1 NodeDef*; library 2 FunctionDefLibrary; versions 4 VersionDef
FunctionDefLibrary: function 1 FunctionDef*
NodeDef: name 1 str; op 2 str; input 3 str*; device 4 str; attr 5 {AttrValue}
NameAttrList: name 1 str; attr 2 {AttrValue}
ListValue: s 2 bytes*; i 3 int*; f 4 float*; b 5 bool*; type 6 int*; shape 7 TensorShapeProto*; \
tensor 8 TensorProto*; func 9 NameAttrList*
AttrValue: list 1 ListValue; s 2 bytes; i 3 int; f 4 float; b 5 bool; type 6 int; shape 7 TensorShapeProto; \
tensor 8 TensorProto; placeholder 9 str; func 10 NameAttrList
TensorProto: dtype 1 int; tensor_shape 2 TensorShapeProto; tensor_content 4 bytes; float_val 5 float*; \
double_val 6 double*; int_val 7 int*; string_val 8 bytes*; scomplex_val 9 float*; int64_val 10 int*; \
bool_val 11 bool*; \
dcomplex_val 12 double*; half_val 13 int*; uint32_val 16 int*; uint64_val 17 int*
HandleShape: dtype 1 int; shape 2 TensorShapeProto
ArgDef: name 1 str; type 3 int; type_attr 4 str; number_attr 5 str; type_list_attr 6 str; handle_data 7 HandleShape*
OpDef: name 1 str; input_arg 2 ArgDef*; output_arg 3 ArgDef*; is_stateful 17 bool; control_output 20 str*
FunctionDef: signature 1 OpDef; node_def 3 NodeDef*; ret 4 {str}; attr 5 {AttrValue}; control_ret 6 {str}
SavedObjectGraph: nodes 1 SavedObject*; concrete_functions 2 {SavedConcreteFunction}
SavedObject: children 1 ObjectReference*; slot_variables 3 SlotVariableReference*; user_object 4 SavedUserObject; \
asset 5 SavedAsset; function 6 SavedFunction; variable 7 SavedVariable; \
bare_concrete_function 8 SavedBareConcreteFunction; constant 9 SavedConstant; resource 10 SavedResource; \
captured_tensor 12 CapturedTensor
SavedUserObject: identifier 1 str; version 2 VersionDef; metadata 3 str
SavedAsset: asset_file_def_index 1 int
SavedFunction: concrete_functions 1 str*; function_spec 2 FunctionSpec
SavedVariable: dtype 1 int; shape 2 TensorShapeProto; trainable 3 bool; name 6 str
SavedBareConcreteFunction: concrete_function_name 1 str; argument_keywords 2 str*; \
allowed_positional_arguments 3 int; function_spec 4 FunctionSpec
SavedConstant: operation 1 str
SavedResource: device 1 str
CapturedTensor: name 1 str; concrete_function 2 str
SavedConcreteFunction: bound_inputs 2 int*; canonicalized_input_signature 3 StructuredValue; \
output_signature 4 StructuredValue
FunctionSpec: fullargspec 1 StructuredValue; is_method 2 bool; input_signature 5 StructuredValue; jit_compile 6 int
NoneValue:
TensorSpecProto: name 1 str; shape 2 TensorShapeProto; dtype 3 int
ListStructure: values 1 StructuredValue*
DictStructure: fields 1 {StructuredValue}
PairValue: key 1 str; value 2 StructuredValue
NamedTupleValue: name 1 str; values 2 PairValue*
TypeSpecProto: type_spec_class 1 int; type_state 2 StructuredValue; type_spec_class_name 3 str
StructuredValue: none_value 1 NoneValue; float64_value 11 double; int64_value 12 sint; string_value 13 str; \
bool_value 14 bool; tensor_shape_value 31 TensorShapeProto; tensor_dtype_value 32 int; \
tensor_spec_value 33 TensorSpecProto; type_spec_value 34 TypeSpecProto; bounded_tensor_spec_value 35 TensorSpecProto; \
list_value 51 ListStructure; tuple_value 52 ListStructure; dict_value 53 DictStructure; \
named_tuple_value 54 NamedTupleValue
FingerprintDef: saved_model_checksum 1 int; graph_def_program_hash 2 int; signature_def_hash 3 int; \
saved_object_graph_hash 4 int; checkpoint_hash 5 int; version 6 VersionDef; file_checksums 20001 bytes
Feature: bytes_list 1 BytesList; float_list 2 FloatList; int64_list 3 Int64List
BytesList: value 1 bytes*
FloatList: value 1 float*
Int64List: value 1 int*
"""

SCALARS = frozenset({"int", "sint", "bool", "fixed32", "float", "double", "str", "bytes"})


class Field(NamedTuple):
    """One field of a message."""

    name: str
    number: int
    kind: str
    repeated: bool = False
    is_map: bool = False


def _parse(text: str) -> dict[str, dict[str, Field]]:
    found: dict[str, dict[str, Field]] = {}
    for line in text.strip().splitlines():
        message, _, rest = line.partition(":")
        fields: dict[str, Field] = {}
        for part in filter(str.strip, rest.split(";")):
            name, number, kind = part.split()
            plain = kind.strip("*{}")
            fields[name] = Field(name, int(number), plain, kind.endswith("*"), kind.startswith("{"))
        found[message] = fields
    return found


MESSAGES = _parse(_TEXT)
"""Fields by message and name."""
NUMBERS = {message: {field.number: field for field in fields.values()} for message, fields in MESSAGES.items()}
"""Fields by message and number."""
