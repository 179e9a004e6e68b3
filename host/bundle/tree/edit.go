package tree

import "slices"

// Get follows names from object to object and returns what is there, nil where nothing is.
func (v *Value) Get(names ...string) *Value {
	for _, name := range names {
		if v.Kind() != Object {
			return nil
		}
		i := slices.Index(v.names, name)
		if i < 0 {
			return nil
		}
		v = v.values[i]
	}
	return v
}

// Names returns the names of an object's members in their order. The slice belongs to v.
func (v *Value) Names() []string {
	if v == nil {
		return nil
	}
	return v.names
}

// Items returns the items of an array, or the values of an object in the order of Names. The
// slice belongs to v.
func (v *Value) Items() []*Value {
	if v == nil {
		return nil
	}
	return v.values
}

// Set gives the object v a member, in place of one of the same name or else as the last.
func (v *Value) Set(name string, member *Value) {
	if i := slices.Index(v.names, name); i >= 0 {
		v.values[i] = member
		return
	}
	v.names = append(v.names, name)
	v.values = append(v.values, member)
}

// Remove takes the member called name out of the object v; one that is not there is no error.
func (v *Value) Remove(name string) {
	if i := slices.Index(v.Names(), name); i >= 0 {
		v.names = slices.Delete(v.names, i, i+1)
		v.values = slices.Delete(v.values, i, i+1)
	}
}

// Append adds items to the array v.
func (v *Value) Append(items ...*Value) { v.values = append(v.values, items...) }

// Insert puts item before the i-th item of the array v.
func (v *Value) Insert(i int, item *Value) { v.values = slices.Insert(v.values, i, item) }

// RemoveItem takes the i-th item out of the array v.
func (v *Value) RemoveItem(i int) { v.values = slices.Delete(v.values, i, i+1) }
