package state

// KeptBy notes which process will see to it that the container is deleted. One that cannot be looked
// at is not noted: the container is kept until somebody deletes it or the node boots.
func (r *Record) KeptBy(pid int) {
	r.Kept = true
	if keeper, err := identify(pid); err == nil {
		r.KeeperPid, r.KeeperStartTime = pid, keeper.StartTime
	}
}

// Abandoned says whether the process that was to see to the container's deletion has provably ended.
func (r Record) Abandoned() bool {
	if !r.Kept || r.KeeperPid == 0 {
		return false
	}
	r.Pid, r.StartTime = r.KeeperPid, r.KeeperStartTime
	alive, err := r.Alive()
	return err == nil && !alive
}
