/* Prints the layouts that the binding relies on. Compile against the headers of llama.cpp v0.5.0:
 *   cc -I LLAMA/include -I LLAMA/ggml/include print-layouts.c -o print-layouts && ./print-layouts > llama-v0.5.0.txt
 */
#include <stddef.h>
#include <stdio.h>
#include "llama.h"
#include "ggml-backend.h"

#define SIZE(type) printf(#type " size %zu\n", sizeof(struct type))
#define FIELD(type, field) \
    printf(#type "." #field " %zu %zu\n", offsetof(struct type, field), sizeof(((struct type *) 0)->field))
#define VALUE(name) printf(#name " = %d\n", (int) (name))

int main(void) {
    SIZE(llama_model_params);
    FIELD(llama_model_params, devices);
    FIELD(llama_model_params, tensor_buft_overrides);
    FIELD(llama_model_params, n_gpu_layers);
    FIELD(llama_model_params, split_mode);
    FIELD(llama_model_params, load_mode);
    FIELD(llama_model_params, lazy_mode);
    FIELD(llama_model_params, main_gpu);
    FIELD(llama_model_params, tensor_split);
    FIELD(llama_model_params, progress_callback);
    FIELD(llama_model_params, progress_callback_user_data);
    FIELD(llama_model_params, kv_overrides);
    FIELD(llama_model_params, vocab_only);
    FIELD(llama_model_params, check_tensors);
    FIELD(llama_model_params, use_extra_bufts);
    FIELD(llama_model_params, no_host);
    FIELD(llama_model_params, no_alloc);
    FIELD(llama_model_params, load_mtp);

    SIZE(llama_context_params);
    FIELD(llama_context_params, n_ctx);
    FIELD(llama_context_params, n_batch);
    FIELD(llama_context_params, n_ubatch);
    FIELD(llama_context_params, n_seq_max);
    FIELD(llama_context_params, n_rs_seq);
    FIELD(llama_context_params, n_outputs_max);
    FIELD(llama_context_params, n_outputs_max_per_seq);
    FIELD(llama_context_params, n_threads);
    FIELD(llama_context_params, n_threads_batch);
    FIELD(llama_context_params, ctx_type);
    FIELD(llama_context_params, rope_scaling_type);
    FIELD(llama_context_params, pooling_type);
    FIELD(llama_context_params, attention_type);
    FIELD(llama_context_params, flash_attn_type);
    FIELD(llama_context_params, rope_freq_base);
    FIELD(llama_context_params, rope_freq_scale);
    FIELD(llama_context_params, yarn_ext_factor);
    FIELD(llama_context_params, yarn_attn_factor);
    FIELD(llama_context_params, yarn_beta_fast);
    FIELD(llama_context_params, yarn_beta_slow);
    FIELD(llama_context_params, yarn_orig_ctx);
    FIELD(llama_context_params, defrag_thold);
    FIELD(llama_context_params, cb_eval);
    FIELD(llama_context_params, cb_eval_user_data);
    FIELD(llama_context_params, type_k);
    FIELD(llama_context_params, type_v);
    FIELD(llama_context_params, abort_callback);
    FIELD(llama_context_params, abort_callback_data);
    FIELD(llama_context_params, embeddings);
    FIELD(llama_context_params, offload_kqv);
    FIELD(llama_context_params, no_perf);
    FIELD(llama_context_params, op_offload);
    FIELD(llama_context_params, swa_full);
    FIELD(llama_context_params, kv_unified);
    FIELD(llama_context_params, samplers);
    FIELD(llama_context_params, n_samplers);
    FIELD(llama_context_params, ctx_other);

    SIZE(llama_batch);
    FIELD(llama_batch, n_tokens);
    FIELD(llama_batch, token);
    FIELD(llama_batch, embd);
    FIELD(llama_batch, pos);
    FIELD(llama_batch, n_seq_id);
    FIELD(llama_batch, seq_id);
    FIELD(llama_batch, logits);

    SIZE(llama_model_kv_override);
    FIELD(llama_model_kv_override, tag);
    FIELD(llama_model_kv_override, key);
    FIELD(llama_model_kv_override, val_i64);
    FIELD(llama_model_kv_override, val_str);

    VALUE(LLAMA_SPLIT_MODE_NONE);
    VALUE(LLAMA_SPLIT_MODE_LAYER);
    VALUE(LLAMA_SPLIT_MODE_ROW);
    VALUE(LLAMA_LOAD_MODE_NONE);
    VALUE(LLAMA_LOAD_MODE_MMAP);
    VALUE(LLAMA_LAZY_MODE_OFF);
    VALUE(LLAMA_FLASH_ATTN_TYPE_AUTO);
    VALUE(LLAMA_FLASH_ATTN_TYPE_DISABLED);
    VALUE(LLAMA_FLASH_ATTN_TYPE_ENABLED);
    VALUE(LLAMA_KV_OVERRIDE_TYPE_INT);
    VALUE(LLAMA_KV_OVERRIDE_TYPE_STR);
    VALUE(GGML_TYPE_F32);
    VALUE(GGML_TYPE_F16);
    VALUE(GGML_TYPE_Q4_0);
    VALUE(GGML_TYPE_Q8_0);
    VALUE(GGML_BACKEND_DEVICE_TYPE_CPU);
    VALUE(GGML_BACKEND_DEVICE_TYPE_GPU);
    VALUE(GGML_BACKEND_DEVICE_TYPE_IGPU);
    VALUE(GGML_BACKEND_DEVICE_TYPE_ACCEL);
    VALUE(GGML_LOG_LEVEL_DEBUG);
    VALUE(GGML_LOG_LEVEL_INFO);
    VALUE(GGML_LOG_LEVEL_WARN);
    VALUE(GGML_LOG_LEVEL_ERROR);
    VALUE(GGML_LOG_LEVEL_CONT);
    return 0;
}
