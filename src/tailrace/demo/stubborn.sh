# Do not end when asked to.
trap 'echo "INT? No."' INT
trap 'echo "TERM? Not that either."' TERM
echo "Stop me, and watch the signals that it takes: INT, TERM, KILL."
while :; do sleep 1; done
