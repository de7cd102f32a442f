#!/usr/bin/env bash
# Runs awaken on the checkout and leaves its forms in one folder. Fails only where awaken can't run.
# `run.sh comment` writes the comment alone: again, when the artifact has an address to link to.
set -euo pipefail

directory="${RUNNER_TEMP:?}/awaken"
environment="$RUNNER_TEMP/awaken-environment"
mkdir -p "$directory"
only="${1:-}"

# awaken comes from the checkout of the action, so from the commit that the workflow pins. Outside
# of the project, so that none of its settings reach pip. AWAKEN_BIN is an awaken that is there.
if [ -z "${AWAKEN_BIN:-}" ]; then
    (cd / && "$AWAKEN_PYTHON" -m venv "$environment" &&
        "$environment/bin/python" -m pip install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH")
    AWAKEN_BIN="$environment/bin/awaken"
fi
if [ -z "$only" ]; then
    printf 'directory=%s\nprogram=%s\n' "$directory" "$AWAKEN_BIN" >> "$GITHUB_OUTPUT"
fi

cd "${AWAKEN_PATH:-.}"
since=()
if [ -n "${AWAKEN_BASE:-}" ]; then
    # A shallow clone has neither the base nor the common commit: fetch more until both are there.
    for depth in 0 1 50 500 5000; do
        if git merge-base "$AWAKEN_BASE" HEAD > /dev/null 2>&1; then
            break
        fi
        head=$(git rev-parse HEAD)
        if [ "$depth" -eq 0 ]; then
            git fetch --quiet --no-tags --depth=1 origin "$AWAKEN_BASE" || true
        else
            git fetch --quiet --no-tags --deepen="$depth" origin "$AWAKEN_BASE" "$head" || true
        fi
    done
    if ! git merge-base "$AWAKEN_BASE" HEAD > /dev/null 2>&1; then
        echo "::error title=awaken::The checkout has no commit in common with the base of the pull request. Give actions/checkout \`fetch-depth: 0\`."
        exit 2
    fi
    since=(--since "$AWAKEN_BASE")
fi

# Blanks separate arguments; no shell reads them.
read -r -a arguments <<< "${AWAKEN_ARGUMENTS:-}"
[ -z "${AWAKEN_REPORT_URL:-}" ] || arguments+=(--report-url "$AWAKEN_REPORT_URL")

form() { # COMMAND FORM FILE: exit 1 says that there are sites, 2 that something could not be done
    local code=0
    "$AWAKEN_BIN" "$1" "${since[@]}" "${arguments[@]}" --output-format "$2" --output-file "$3" --quiet || code=$?
    [ "$code" -le 1 ] || [ -s "$3" ] || exit "$code"
}

form "$AWAKEN_COMMAND" github-comment "$directory/comment.md"
[ -z "$only" ] || exit 0
form "$AWAKEN_COMMAND" json "$directory/awaken.json"
form "$AWAKEN_COMMAND" html "$directory/awaken.html"
form "$AWAKEN_COMMAND" markdown "$directory/summary.md"
form check sarif "$directory/awaken.sarif"
"$AWAKEN_BIN" check "${since[@]}" "${arguments[@]}" --output-format github || [ $? -le 2 ]
cat "$directory/summary.md" >> "$GITHUB_STEP_SUMMARY"

if [ "${AWAKEN_REVIEW:-false}" = true ] && [ -n "${AWAKEN_BASE:-}" ]; then
    # Lines of a merge commit are not those of the pull request.
    if [ "$(git rev-parse HEAD)" = "${AWAKEN_HEAD:-}" ]; then
        form "$AWAKEN_COMMAND" github-review "$directory/review.json"
    else
        echo "::notice title=awaken::Suggestions need a checkout of the pull request's head: give actions/checkout \`ref: \${{ github.event.pull_request.head.sha }}\`."
    fi
fi

printf '{"number": %s, "head": "%s"}\n' "${AWAKEN_NUMBER:-0}" "${AWAKEN_HEAD:-}" > "$directory/pull.json"
"$AWAKEN_PYTHON" - "$directory/awaken.json" >> "$GITHUB_OUTPUT" <<'PYTHON'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    summary = json.load(file)["summary"]
print(f"sites={summary['sites']}\nmanual={summary['manual']}")
PYTHON
