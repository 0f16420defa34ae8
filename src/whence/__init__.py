"""Where does a gradient formula come from, and is mine right?"""
