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

# Are all configs right? (--smoke: train each for two steps)
check *args:
    cargo run --release -- check {{args}}

# Draw a study's figures again:  just plot results/00-quickstart
plot study:
    cargo run --release -- plot {{study}}

# Write the table of keys in configs/README.md anew
docs:
    SUBQUAD_UPDATE_DOCS=1 cargo test --release --workspace --lib readme

# Everything CI runs
ci:
    bash .ci/run
