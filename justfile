# The menu: `just`
default:
    @just --list

# The main job: attention, S4D and M2 at three lengths on the embedded digits
quickstart:
    cargo run --release -- run configs/00-quickstart

# One study:  just run configs/00-quickstart
run config *args:
    cargo run --release -- run {{config}} {{args}}

# Everything that must pass, as the second of README's commands
test:
    cargo test --release --workspace

# The tests of kernels with other instructions than the best of this machine:  just test-simd avx2
test-simd set:
    SUBQUAD_TEST_SIMD={{set}} cargo test --release --workspace --test it -- $(cat .ci/kernel-tests)

# The tests of layers and kernels under AddressSanitizer, by a nightly toolchain; builds burn again in a folder of its own
test-asan:
    CARGO_TARGET_DIR=target/asan RUSTFLAGS=-Zsanitizer=address \
        cargo +nightly test --release --target "$(rustc -vV | sed -n 's/^host: //p')" --lib --test it \
        -p subquad-backend -p subquad-attention -p subquad-s4 -p subquad-monarch

# The tests of the device wgpu on software Vulkan (Mesa's lavapipe); builds burn again in a folder of its own
test-wgpu:
    CARGO_TARGET_DIR=target/wgpu SUBQUAD_TEST_WGPU=1 CUBECL_WGPU_DEFAULT_DEVICE=Cpu \
        XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/tmp}" \
        cargo test --release --workspace --features wgpu --test it wgpu

# Are all configs right? (--smoke: train each for two steps)
check *args:
    cargo run --release -- check {{args}}

# Draw a study's figures again:  just plot results/00-quickstart
plot study:
    cargo run --release -- plot {{study}}

# Write the table of keys in configs/KEYS.md anew
docs:
    SUBQUAD_UPDATE_DOCS=1 cargo test --release --workspace --test it readme

# Everything CI runs
ci:
    bash .ci/run
