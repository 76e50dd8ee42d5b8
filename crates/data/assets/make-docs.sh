#!/usr/bin/env bash
# Writes docs.txt.gz anew: the documentation of this repository, as one text. Run it on purpose alone: another text is another
# task, and a test holds the digest of this one.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export LC_ALL=C

# The comments that document modules and items, without their markers.
doc_comments() {
    git ls-files 'crates/*/src/*.rs' | sort | while read -r file; do
        grep -E '^ *//[/!]' "$file" | sed -E 's/^ *\/\/[\/!] ?//' || true
        echo
    done
}

{
    cat README.md CONTRIBUTING.md crates/README.md crates/*/README.md configs/README.md docs/*.md
    doc_comments
} | gzip -9n >crates/data/assets/docs.txt.gz
